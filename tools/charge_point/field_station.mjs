// kirby-ocpp with what charge points in the field have and it has no setting for: a unit that it refuses, cars that draw
// what they may, a memory that loses profiles. Its smart charging stays its own.
import { Station } from "kirby-ocpp/dist/station.js";
import { offer, sampledValues } from "./car.mjs";

const UNITS = ["W", "A"];
const UNIT_NAMES = { W: "Power", A: "Current" };
// Statuses of a connector that gives power, or would.
const GIVING = new Set(["Charging", "SuspendedEVSE"]);

export class FieldStation extends Station {
  // `units`: those that limits may have; `cars`: by connector, { phases, ampere }. A connector without a car of ours has
  // kirby's made-up meter.
  constructor(config, { units, cars }) {
    super(config);
    this.units = units ?? UNITS;
    this.cars = cars;
    if (units) {
      this.configuration.values.set("ChargingScheduleAllowedChargingRateUnit", {
        readonly: true,
        value: units.map((unit) => UNIT_NAMES[unit]).join(","),
      });
    }
  }

  // A power cut after which the profiles are gone, as in charge points that keep them in volatile memory.
  forgetProfiles() {
    this.chargingProfiles.replace([]);
    this.savePersistedState();
  }

  // Every connector does what the limits of now say, and tells when that ends or begins a pause.
  follow() {
    for (const { id, status, transactionId } of this.connectors.all()) {
      if (!this.cars[id] || !transactionId || !GIVING.has(status)) {
        continue;
      }
      const now = this.offered(id).ampere > 0 ? "Charging" : "SuspendedEVSE";
      if (now !== status) {
        this.connectors.patch(id, { status: now });
        void this.runSafely(() => this.statusNotification(id, now));
      }
    }
  }

  offered(connectorId) {
    const { transactionId, transactionStartedAt } = this.connectors.get(connectorId);
    // kirby keeps limits in W and in A apart; the lower of both is what a real one gives.
    const periods = UNITS.flatMap((unit) => {
      const asked = { connectorId, duration: 1, chargingRateUnit: unit };
      const shown = this.chargingProfiles.compositeSchedulePayload(asked, transactionId, transactionStartedAt);
      const [period] = shown?.payload.chargingSchedule.chargingSchedulePeriod ?? [];
      return period ? [{ period, unit }] : [];
    });
    return offer(this.cars[connectorId], periods);
  }

  handleSetChargingProfile(messageId, payload) {
    if (!this.units.includes(payload.csChargingProfiles.chargingSchedule.chargingRateUnit)) {
      this.client.reply(messageId, { status: "Rejected" });
      return;
    }
    super.handleSetChargingProfile(messageId, payload);
    this.follow();
  }

  handleClearChargingProfile(messageId, payload) {
    super.handleClearChargingProfile(messageId, payload);
    this.follow();
  }

  async sendMeterValues(connectorId, context, deltaWh, measurands) {
    this.follow();
    await super.sendMeterValues(connectorId, context, deltaWh, measurands);
  }

  async send(action, payload) {
    return super.send(action, action === "MeterValues" ? this.metered(payload) : payload);
  }

  buildStopTransactionData(connectorId) {
    return this.cars[connectorId]
      ? [this.meterValue(connectorId, "Transaction.End")]
      : super.buildStopTransactionData(connectorId);
  }

  metered(payload) {
    if (!this.cars[payload.connectorId]) {
      return payload;
    }
    const [{ sampledValue }] = payload.meterValue;
    return { ...payload, meterValue: [this.meterValue(payload.connectorId, sampledValue[0].context)] };
  }

  meterValue(connectorId, context) {
    const { meterWh, status } = this.connectors.get(connectorId);
    const drawn = status === "Charging" ? this.offered(connectorId) : { phases: 0, ampere: 0 };
    return { timestamp: new Date().toISOString(), sampledValue: sampledValues(meterWh, drawn, context) };
  }
}
