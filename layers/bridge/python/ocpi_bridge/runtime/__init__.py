"""What runs in a Lambda: settings, the composition root, doors for HTTP, queues and streams, logs."""
