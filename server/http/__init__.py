"""What every page and route over HTTP shares: who asks, what is refused, and how answers look."""
