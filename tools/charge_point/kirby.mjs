// Runs kirby-ocpp without its terminal interface: its configuration and our options as JSON in the first two arguments,
// commands as JSON lines on standard input, events as JSON lines on standard output. It ends when standard input ends,
// so that it never outlives the process that started it.
import { createInterface } from "node:readline";
import { moveClock } from "./clock.mjs";
import { parseConfig } from "kirby-ocpp/dist/config.js";
import { FieldStation } from "./field_station.mjs";

// kirby's public methods only; anything else would reach into its state.
const METHODS = new Set([
  "addConnector",
  "authorize",
  "boot",
  "clearFault",
  "connect",
  "disconnect",
  "heartbeat",
  "meterValues",
  "plugIn",
  "reconnect",
  "setFault",
  "setStatus",
  "startTransaction",
  "statusNotification",
  "stopTransaction",
  "unplug",
]);

// What happens to a charge point from outside.
const EVENTS = {
  moveClock(seconds) {
    moveClock(seconds);
    station.follow();
  },
  // With a state directory the transaction goes on afterwards, and so do the profiles unless they are lost.
  powerCycle(losesProfiles) {
    station.disconnect();
    station.removeAllListeners();
    station = newStation();
    if (losesProfiles) {
      station.forgetProfiles();
    }
    station.connect();
  },
  // The car that stands at a connector from now on: { phases, ampere }.
  putCar(connectorId, car) {
    cars[connectorId] = car;
  },
};

const config = parseConfig(JSON.parse(process.argv[2]));
const { units } = JSON.parse(process.argv[3]);
const cars = {};

const emit = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

function newStation() {
  const made = new FieldStation(config, { units, cars });
  made.on("log", ({ at, level, message, details }) => {
    emit({ type: "log", at, level, message, frame: details === undefined ? null : JSON.parse(details) });
  });
  made.on("state", (state) => emit({ type: "state", state }));
  return made;
}

async function run(line) {
  const { id, method, args } = JSON.parse(line);
  try {
    if (!METHODS.has(method) && !Object.hasOwn(EVENTS, method)) {
      throw new Error(`kirby-ocpp has no public method ${method}`);
    }
    const given = args.map((argument) => argument ?? undefined);
    const value = await (METHODS.has(method) ? station[method](...given) : EVENTS[method](...given));
    emit({ type: "answer", id, value: value ?? null });
  } catch (error) {
    emit({ type: "answer", id, error: error instanceof Error ? error.message : String(error) });
  }
}

let station = newStation();
station.connect();

createInterface({ input: process.stdin })
  .on("line", (line) => void run(line))
  .on("close", () => {
    station.disconnect();
    process.exit(0);
  });
