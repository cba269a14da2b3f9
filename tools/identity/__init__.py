"""Faces: where they are in a picture, whose they are, and how alike two of them are.

    scrfd alignment     a detector's numbers as faces; a face turned upright and cut out
    face_pack           the two networks of an ArcFace pack, read by ONNX Runtime from the user's own folder
    attribution         which face is whose, by the layout's masks
    tool arcface        `compare_faces` and its engines
    weights             the same pack on the device, for the engine that runs there

The networks are run by ONNX Runtime itself and not by the insightface package: that one depends on opencv-python, which
overwrites the headless build, compiles C++ when it is installed, and goes to the network where a folder is missing.
"""
