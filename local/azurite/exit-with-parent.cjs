// Loaded before Azurite: stops it, in order, when the process at the other end of stdin is gone.
process.stdin.on("end", () => process.kill(process.pid, "SIGTERM")).resume();
