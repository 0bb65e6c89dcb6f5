"""What makes the built site found, shared and followed, in each of its languages."""
