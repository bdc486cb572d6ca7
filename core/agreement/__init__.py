"""Agreement statistics over arrays of shape (raters, stimuli)."""
