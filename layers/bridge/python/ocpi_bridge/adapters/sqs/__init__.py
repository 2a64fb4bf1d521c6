"""The queues: charger commands, deadlines, results, pushes, events."""
