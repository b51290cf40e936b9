"""What generated pairs are worth: the same segmenter, trained on different pairs for equally many steps.

``arms`` says what is compared, ``trial`` trains one segmenter, ``held_out`` has the photos that all are measured on,
``tail`` tells the rare parts and classes, ``figures`` and ``verdict`` make numbers and a sentence of the pixels that
were read, and ``study`` is all of it in one call.
"""
