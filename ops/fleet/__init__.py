"""The fleet as a whole: an observer looks at it and stores what it found, every process shows the newest."""
