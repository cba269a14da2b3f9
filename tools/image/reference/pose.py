"""People and their joints in a picture: RT-DETR finds the people, ViTPose the 17 joints of each.

Sources: Zhao et al. 2023, "DETRs Beat YOLOs on Real-time Object Detection" (arXiv 2304.08069); Xu et al. 2022,
"ViTPose" (arXiv 2204.12484), which is top-down: it looks at one person's box at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tools.errors import BadOutput
from tools.image.reference.keypoints import Point, openpose_points
from tools.image.reference.loading import Seer, SeerWeights

if TYPE_CHECKING:
    import numpy as np

__all__ = ["PersonDetector", "PersonDetectorWeights", "VitPose", "VitPoseWeights", "poses_of"]

LEAST_PERSON = 0.3
"""Score of what counts as a person."""
MOST_PEOPLE = 20
PERSON = "person"

Box = tuple[float, float, float, float]


class PersonDetector(Seer):
    """Finds people."""

    def people(self, picture: np.ndarray) -> list[Box]:
        """Boxes of the people in a picture (height x width x 3 uint8), the surest first: x, y, width, height in pixels.

        Raises:
            BadOutput: the model gave values that are not numbers.
        """
        import torch

        with torch.no_grad():
            outputs = self.model(**self.prepared(picture))
        if not bool(torch.isfinite(outputs.logits).all() and torch.isfinite(outputs.pred_boxes).all()):
            raise BadOutput("the person detector computed values that are not numbers (NaN).")
        size = [(picture.shape[0], picture.shape[1])]
        (found,) = self.processor.post_process_object_detection(outputs, threshold=LEAST_PERSON, target_sizes=size)
        person = {number for number, name in self.model.config.id2label.items() if str(name).lower() == PERSON} or {0}
        boxes = []
        order = torch.argsort(found["scores"], descending=True, stable=True).tolist()
        for index in order:
            if int(found["labels"][index]) in person:
                x0, y0, x1, y1 = (float(value) for value in found["boxes"][index])
                if x1 - x0 >= 1.0 and y1 - y0 >= 1.0:
                    boxes.append((x0, y0, x1 - x0, y1 - y0))
        return boxes[:MOST_PEOPLE]


class VitPose(Seer):
    """Finds the joints of people."""

    def joints(self, picture: np.ndarray, boxes: list[Box]) -> list[list[Point]]:
        """By box the 18 joints of OpenPose: x, y in pixels and 1 where seen.

        Raises:
            BadOutput: the model gave values that are not numbers.
        """
        import torch

        if not boxes:
            return []
        given = [[list(box) for box in boxes]]
        with torch.no_grad():
            outputs = self.model(**self.prepared(picture, boxes=given))
        outputs.heatmaps = outputs.heatmaps.to(torch.float32).cpu()
        if not bool(torch.isfinite(outputs.heatmaps).all()):
            raise BadOutput("the pose model computed values that are not numbers (NaN).")
        (found,) = self.processor.post_process_pose_estimation(outputs, boxes=given)
        return [openpose_points(one["keypoints"].tolist(), one["scores"].tolist()) for one in found]


class PersonDetectorWeights(SeerWeights):
    """RT-DETR from its folder."""

    name: ClassVar[str] = "person_detector"
    model_class: ClassVar[str] = "RTDetrForObjectDetection"
    processor_class: ClassVar[str] = "RTDetrImageProcessorPil"
    seer: ClassVar[type[Seer]] = PersonDetector


class VitPoseWeights(SeerWeights):
    """ViTPose from its folder."""

    name: ClassVar[str] = "vitpose"
    model_class: ClassVar[str] = "VitPoseForPoseEstimation"
    processor_class: ClassVar[str] = "VitPoseImageProcessorPil"
    seer: ClassVar[type[Seer]] = VitPose


def poses_of(picture: np.ndarray, detector: PersonDetector, pose: VitPose) -> list[list[Point]]:
    """Skeletons of everybody in a picture, the smaller (farther) ones first, as they are to be drawn.

    Args:
        picture: height x width x 3 uint8.
    """
    boxes = sorted(detector.people(picture), key=lambda box: box[2] * box[3])
    return [points for points in pose.joints(picture, boxes) if any(seen for _, _, seen in points)]
