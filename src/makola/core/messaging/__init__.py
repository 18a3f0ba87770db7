"""Messages: accepted, scheduled, segmented, routed, sent, reported."""
