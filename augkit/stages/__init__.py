"""What is trained: stage I, stage II, photos without masks, the segmenter, SinGAN, the encoders of projection."""
