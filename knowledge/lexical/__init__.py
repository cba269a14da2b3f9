"""Finding by words: how words are folded, and BM25 over them."""
