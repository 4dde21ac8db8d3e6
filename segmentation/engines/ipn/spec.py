"""The registry entry of IPN: its name, title and networks, which can be read without importing PyTorch."""

from segmentation.engine_specs import EngineSpec, NetworkSpec, OfflinePrograms

IPN = EngineSpec(
    name="ipn",
    title="IPN",
    published=True,
    path="segmentation.engines.ipn.engine:IPNEngine",
    good_at=(
        "Looks closely at a region around each object: good for small ones. Corrections blend with earlier rounds."
    ),
    networks=(
        NetworkSpec(
            name="ipn-inet",
            title="IPN, interaction network",
            path="segmentation.engines.ipn.network:Inet",
            config="segmentation.engines.ipn.network:IPNConfig",
            folder="ipn",
            source="github.com/seoungwugoh/ivs-demo; no licence to pass them on",
            official="I_e290.pth",
        ),
        NetworkSpec(
            name="ipn-pnet",
            title="IPN, propagation network",
            path="segmentation.engines.ipn.network:Pnet",
            config="segmentation.engines.ipn.network:IPNConfig",
            folder="ipn",
            source="github.com/seoungwugoh/ivs-demo; no licence to pass them on",
            official="P_e290.pth",
        ),
    ),
    reads_scribbles=True,
    shipped="Its weights are small: STAR is better.",
    programs=OfflinePrograms(
        objectives={"ipn": "segmentation.engines.ipn.objective:Objective"},
        golden={"ipn": "segmentation.engines.ipn.golden:compute"},
        measure="segmentation.engines.ipn.measurement:measure",
    ),
)
