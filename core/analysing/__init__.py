"""Tables of reliability, norms and recognition from rating files of studies run elsewhere."""
