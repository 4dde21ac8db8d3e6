"""Classical vision, which needs no weights: optical flow, colour and texture models, GrabCut, edge-aware smoothing."""
