"""What is checked about the text: the same in all languages, in step, well written."""
