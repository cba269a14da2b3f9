"""Stable Diffusion XL: base, Lightning, refiner, with ControlNet, LoRA, IP-Adapter and regional prompting.

    weights files           reading checkpoints from disk, nothing from the network
    words encode            a shot as prompts; prompts as embeddings
    schedulers denoise      samplers by name; the one loop that all modes go through
    control lora identity   what is added to the model for one call and taken off again
    regions                 several people, each by their own words within their own mask
    pictures                pictures to latents and back
    narrow stream haste     fewer bits, weights that go through the device in parts, a compiled UNet
    nets reference_weights  ControlNets, image encoder and IP-Adapter as models of their own
    companions              which of those a call uses, asked before anything runs
    plan canvas conditions  what a call asks for, what it draws with, what conditions it
    draw engine             a plan drawn; the engine

The loop is our own, over diffusers' UNet, ControlNet and schedulers: so every mode composes with every other, a call
stops within one step, and no pipeline casts the VAE. Without additions it gives what diffusers' pipelines give.
Nothing here imports torch before an engine loads.
"""
