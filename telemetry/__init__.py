"""What the program tells of itself: metrics and traces."""
