"""A release's checklist: each point is judged, and tells what was found."""
