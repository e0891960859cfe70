"""Plate reads: kept, searched, and held against hotlists. Nobody sees one without leave.

A *read* is what one camera, at one instant, took one plate for. Reads are
rows of PostgreSQL, one partition a day; the distinct plates are held in memory
by whoever searches, so that patterns and errors of reading cost no scan.
"""
