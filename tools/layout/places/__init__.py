"""Where scenes play: painted places, each one YAML file of `packs/places`."""

from tools.layout.places.place import Place, load_place, own_place_words, place_ids

__all__ = ["Place", "load_place", "own_place_words", "place_ids"]
