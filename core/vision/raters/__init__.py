"""The AI raters, one module each."""
