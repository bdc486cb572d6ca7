"""Is an edited face still the same person: similarities of embeddings, and what follows from them."""
