"""Which model is on the GPU when: the order of calls with the least switching. Arithmetic on plain data.

`problem` says what is to be ordered, `search` orders it, `plan` is the answer and checks it, `online` plans again while
a plan is carried out. `policies` and `instances` are what the order is compared with and on.
"""
