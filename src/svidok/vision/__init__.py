"""What is in a picture: vehicles and plates found and read. Knows pixels and letters, not cameras or people."""
