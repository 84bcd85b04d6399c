// Loaded before Azurite: stops it, in order, when the process at the other end of stdin is gone. That nobody reads its
// stdout then must not end it sooner.
process.stdin.on("end", () => process.kill(process.pid, "SIGTERM")).resume();
process.stdout.on("error", () => {});
