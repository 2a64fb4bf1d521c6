// Runs kirby-ocpp without its terminal interface: configuration as JSON in the first argument, commands as JSON lines
// on standard input, events as JSON lines on standard output. It ends when standard input ends, so that it never
// outlives the process that started it.
import { createInterface } from "node:readline";
import { parseConfig } from "kirby-ocpp/dist/config.js";
import { Station } from "kirby-ocpp/dist/station.js";

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

const emit = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

async function run(line) {
  const { id, method, args } = JSON.parse(line);
  try {
    if (!METHODS.has(method)) {
      throw new Error(`kirby-ocpp has no public method ${method}`);
    }
    const value = await station[method](...args.map((argument) => argument ?? undefined));
    emit({ type: "answer", id, value: value ?? null });
  } catch (error) {
    emit({ type: "answer", id, error: error instanceof Error ? error.message : String(error) });
  }
}

const station = new Station(parseConfig(JSON.parse(process.argv[2])));
station.on("log", ({ at, level, message, details }) => {
  emit({ type: "log", at, level, message, frame: details === undefined ? null : JSON.parse(details) });
});
station.on("state", (state) => emit({ type: "state", state }));
station.connect();

createInterface({ input: process.stdin })
  .on("line", (line) => void run(line))
  .on("close", () => {
    station.disconnect();
    process.exit(0);
  });
