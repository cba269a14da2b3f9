"""The draft renderer: a shot of the storyboard as a picture, as frames of a film, and as the maps other engines need.

    catalog casting      what is known by name; who looks how
    scene                a shot made ready: place, light, players, camera (`Scene.build`)
    camera framing travel   windows and moves; where people stand in them; who goes somewhere
    acting               lips, glances and gestures as functions of time
    stage shadows weather foreground    the draw list of one instant, from back to front
    paint bake frames finish   draw list to pixels; static layers baked once; the frames of a shot
    lettering            titles and captions, laid over the picture and never into a map
    passes               masks, depth, line, canny, openpose, segmentation from the same draw list
    rig places packs     the characters, the sets, and the data that artists change

Nothing is imported here: skia comes in only with the engine that draws.
"""
