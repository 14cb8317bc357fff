"""What every process is made of: settings, what is opened from them, logs, metrics and traces."""
