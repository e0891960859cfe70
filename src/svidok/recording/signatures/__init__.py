"""What signing cameras say of their footage: judged once it is sealed, kept with its grounds, told by export and alarm.

The verdict is the camera maker's word, not ours: the seal proves that nothing
changed since we received it, the camera's signature that nothing changed
before. A camera that used to sign and stops is told at once.
"""
