"""The client of Maskwright's REST API. It needs neither Django nor PyTorch."""
