"""Vision models that rate the same stimuli as people do."""
