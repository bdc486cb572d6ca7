"""Portraits of people who do not exist, drawn from Action Unit intensities."""
