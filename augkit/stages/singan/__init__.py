"""SinGAN: a pyramid trained on one photo, and what it makes: variations of the photo, and paintings of masks."""
