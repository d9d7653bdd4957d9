def own_images(*a, **k):
    raise ValueError("placeholder")


