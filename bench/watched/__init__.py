"""What it costs a projector to be watched."""
