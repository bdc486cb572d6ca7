// The widgets beside the plain ones: the affect grid and the manikins.
