"""Network architectures in torch, without the pictures and codes that raters know of."""
