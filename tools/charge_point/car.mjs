// What a car draws under the limits of its charge point, and what a three-phase meter shows of it (OCPP 1.6).

const NOMINAL_VOLTAGE = 230;
// A limit in W without numberPhases is meant for three (OCPP 1.6, 7.14).
const ASSUMED_PHASES = 3;
// Below this a car cannot charge (IEC 61851-1).
const LEAST_AMPERE = 6;
const PHASES = ["L1", "L2", "L3"];

// The current (A per phase) that one period of a schedule allows, and on how many phases.
function allowed({ limit, numberPhases = ASSUMED_PHASES }, unit) {
  return { phases: numberPhases, ampere: unit === "A" ? limit : limit / (NOMINAL_VOLTAGE * numberPhases) };
}

// What a car of so many phases may draw: `periods` are those in force now, each with its unit; `ampere` is 0 for a pause.
export function offer(car, periods) {
  const limits = periods.map(({ period, unit }) => allowed(period, unit));
  const ampere = Math.min(car.ampere, ...limits.map((limit) => limit.ampere));
  const phases = Math.min(car.phases, ...limits.map((limit) => limit.phases));
  return { phases, ampere: ampere < LEAST_AMPERE ? 0 : ampere };
}

// The values of one MeterValue: register in Wh, what is drawn on each phase, what is offered.
export function sampledValues(energyWh, { phases, ampere }, context) {
  const drawn = PHASES.map((_, index) => (index < phases ? ampere : 0));
  const sampled = (measurand, value, unit, phase) => ({
    value,
    context,
    measurand,
    unit,
    ...(phase === undefined ? {} : { phase }),
  });
  return [
    sampled("Energy.Active.Import.Register", String(Math.round(energyWh)), "Wh"),
    sampled("Power.Active.Import", (ampere * phases * NOMINAL_VOLTAGE).toFixed(0), "W"),
    ...PHASES.map((phase, index) => sampled("Current.Import", drawn[index].toFixed(1), "A", phase)),
    ...PHASES.map((phase) => sampled("Voltage", String(NOMINAL_VOLTAGE), "V", `${phase}-N`)),
    sampled("Current.Offered", ampere.toFixed(1), "A"),
  ];
}
