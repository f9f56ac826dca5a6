"""Draws all pictures anew, or those that are named."""

import sys

from support.pictures.gallery import draw

draw(sys.argv[1:])
