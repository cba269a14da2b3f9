"""Where faces are to be, as InstantID's ControlNet reads it: eyes, nose, corners of the mouth of the layout's people.

Source: the drawing of InstantX/InstantID (model card, `draw_kps`): four filled ellipses from the nose, of semi-axis 4
and in the colour of their outer end, darkened by 0.6, then five discs of radius 10 in full colour.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from tools.identity.alignment import TEMPLATE, similarity
from tools.image.reference.keypoints import OPENPOSE
from tools.image.tool import OnStage

if TYPE_CHECKING:
    import numpy as np

__all__ = ["COLOURS", "draw_face_points", "face_points"]

COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255))
"""Red, green, blue of the left eye in the picture, the right one, the nose, the left corner of the mouth, the right."""
NOSE = 2
SHADE = 0.6
STICK, DISC = 4, 10

Five = tuple[tuple[float, float], ...]


def face_points(on_stage: Mapping[str, OnStage], people: Collection[str]) -> list[Five]:
    """By person the five points of a face, in pixels of the layout; who is turned away has none.

    Eyes and nose are the layout's own; the mouth is where ArcFace's mean face has it from those. Where one of the eyes
    is hidden, as from the side, the mean face fills the layout's box of the face.

    Args:
        people: whose faces; an empty name stands for everybody.
    """
    found = []
    for name, person in on_stage.items():
        if person.facing_back or (name not in people and "" not in people):
            continue
        known = dict(zip(OPENPOSE, person.keypoints, strict=False))
        # A person's right eye is the left one in the picture.
        seen = [known.get(joint, (0.0, 0.0, 0.0)) for joint in ("right eye", "left eye", "nose")]
        x0, y0, x1, y1 = person.face
        corners = [(x0, y0), (x1, y0), (x0, y1), (x1, y1)]
        try:
            if all(point[2] > 0 for point in seen):
                matrix = similarity(TEMPLATE[:3], [point[:2] for point in seen])
            else:
                matrix = similarity([(0, 0), (112, 0), (0, 112), (112, 112)], corners)
        except ValueError:
            continue
        found.append(tuple((float(matrix[0] @ (x, y, 1.0)), float(matrix[1] @ (x, y, 1.0))) for x, y in TEMPLATE))
    return found


def draw_face_points(faces: Sequence[Five], drawn: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Faces on black.

    Args:
        faces: five points each, in pixels of a picture of the size `drawn`.
        size: width and height of the map.

    Returns:
        height x width x 3 uint8.
    """
    import cv2
    import numpy as np

    picture = np.zeros((size[1], size[0], 3), np.uint8)
    across, down = size[0] / drawn[0], size[1] / drawn[1]
    moved = [[(x * across, y * down) for x, y in points] for points in faces]
    for points in moved:
        for number, (x, y) in enumerate(points):
            if number != NOSE:
                middle = (round((x + points[NOSE][0]) / 2), round((y + points[NOSE][1]) / 2))
                length = math.hypot(points[NOSE][0] - x, points[NOSE][1] - y)
                angle = round(math.degrees(math.atan2(points[NOSE][1] - y, points[NOSE][0] - x)))
                outline = cv2.ellipse2Poly(middle, (max(1, round(length / 2)), STICK), angle, 0, 360, 1)
                cv2.fillConvexPoly(picture, outline, [int(part * SHADE) for part in COLOURS[number]])
    for points in moved:
        for (x, y), colour in zip(points, COLOURS, strict=True):
            cv2.circle(picture, (round(x), round(y)), DISC, colour, -1)
    return picture
