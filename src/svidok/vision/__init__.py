"""What is in a picture: vehicles, persons, faces, plates. Knows neither cameras nor names.

Every finder is a function over an ONNX session and a picture (BGR, as OpenCV
holds it), on one thread unless told otherwise. Nothing is fetched when it
runs: the models lie in `models/`, beside the licences they came under. No
face is ever compared with another: faces are found to be blurred.
"""
