"""What a user's own picture says: read safely, and turned into the maps that ControlNets read.

photo           a picture file as pixels, within bounds
keypoints       COCO's 17 joints as OpenPose's 18
pose depth      the models that find people and their joints, and how far everything is
maps            which of them a control picture goes through
"""
