// A clock that can be moved: what a charge point does hours later is seen now. Timers run on as they would.
const SystemDate = globalThis.Date;
let ahead = 0;

class MovedDate extends SystemDate {
  constructor(...args) {
    if (args.length === 0) {
      super(SystemDate.now() + ahead);
    } else {
      super(...args);
    }
  }

  static now() {
    return SystemDate.now() + ahead;
  }
}

globalThis.Date = MovedDate;

// Moves the clock by so many seconds, for everything in this process.
export function moveClock(seconds) {
  ahead += seconds * 1000;
}
