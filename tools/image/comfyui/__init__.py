"""A person's own workflow on a running ComfyUI as an engine of `generate_image`.

workflow    the exported file, and the studio's inputs put into it
client      the server's own interface: upload, queue, wait, fetch, stop
engine      layout first, then the workflow's picture over it
"""
