"""What the tables hold after projectors were killed and stopped, and their servers restarted, many times."""
