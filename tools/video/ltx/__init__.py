"""LTX-Video: a shot set in motion from its still, or from words alone.

    weights text      the checkpoint; its text encoder, which is on the device only while it reads
    generations       what diffusers calls the parts of single files, by generation
    plan lora         what a call asks for; LoRAs worn for one call
    draw engine       clip after clip through diffusers' pipelines; the engines

Nothing here imports torch before an engine loads.
"""
