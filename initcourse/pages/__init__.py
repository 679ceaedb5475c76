"""What the pages are made of: the ledger of claims, figures, and explorers, with their data.

No module of the science imports from here.
"""
