"""Recipes: functions that return a whole configuration, to be used as they are or changed.

The ArcFace paper's settings on CASIA-WebFace (Deng et al., CVPR 2019, section 3.1: batch 512,
learning rate 0.1 divided by 10 at 20,000 and 28,000 of 32,000 steps, weight decay 5e-4, momentum
0.9, s = 64; margins of Table 2), the settings that InsightFace publishes for MS1MV3 and Glint360K
(learning rate 0.1 for batches of 1,024 and polynomial decay over 20 epochs; An et al., Partial FC,
CVPR 2022, for sampling), and a demonstration on drawn faces for two CPU cores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.config_parts import (
    BackboneConfig,
    DataConfig,
    FollowConfig,
    HeadConfig,
    ScheduleConfig,
)


def demo() -> FullScaleConfig:
    """Within three minutes on two cores: drawn faces, a small network, strangers to be verified."""
    return FullScaleConfig(
        recipe="demo",
        data=DataConfig(train="faces:identities=300,images=20,size=32", size=32, workers=0),
        backbone=BackboneConfig(name="mobilefacenet", embedding_dim=128),
        head=HeadConfig(scale=32.0, m2=0.3),
        schedule=ScheduleConfig(steps=120, kind="cosine", warmup=10),
        follow=FollowConfig(
            every=1,
            evaluate_every=60,
            sets=("faces:identities=60,images=10,size=32,seed=1",),
            angle_identities=100,
            checkpoint_every=60,
        ),
        batch_size=128,
        channels_last=True,
        sync_batch_norm=True,
        device="cpu",
    )


def casia(head: HeadConfig, name: str) -> FullScaleConfig:
    """The paper's setting on CASIA-WebFace (0.5 M pictures, 10.5 k identities), ResNet-50."""
    return FullScaleConfig(
        recipe=name,
        data=DataConfig(train="faces_webface_112x112", workers=8),
        head=head,
        schedule=ScheduleConfig(steps=32_000, kind="step", milestones=(20_000, 28_000)),
        follow=FollowConfig(sets=_BINS),
        precision="bfloat16",
        channels_last=True,
    )


def casia_arcface() -> FullScaleConfig:
    """ArcFace, m2 = 0.5: ResNet-50 on CASIA-WebFace, as in the paper."""
    return casia(HeadConfig(m2=0.5), "casia-arcface")


def casia_cosface() -> FullScaleConfig:
    """CosFace, m3 = 0.35, on CASIA-WebFace."""
    return casia(HeadConfig(m2=0.0, m3=0.35), "casia-cosface")


def casia_sphereface() -> FullScaleConfig:
    """SphereFace, m1 = 1.35, on CASIA-WebFace."""
    return casia(HeadConfig(m1=1.35, m2=0.0), "casia-sphereface")


def casia_cm1() -> FullScaleConfig:
    """The combined margin (1, 0.3, 0.2), on CASIA-WebFace."""
    return casia(HeadConfig(m2=0.3, m3=0.2), "casia-cm1")


def casia_cm2() -> FullScaleConfig:
    """The combined margin (0.9, 0.4, 0.15), on CASIA-WebFace."""
    return casia(HeadConfig(m1=0.9, m2=0.4, m3=0.15), "casia-cm2")


def casia_normalized_softmax() -> FullScaleConfig:
    """The normalised softmax, the family without a margin, on CASIA-WebFace."""
    return casia(HeadConfig(m2=0.0), "casia-normalized-softmax")


def casia_softmax() -> FullScaleConfig:
    """The plain softmax, on CASIA-WebFace."""
    return casia(HeadConfig(objective="softmax"), "casia-softmax")


def casia_triplet() -> FullScaleConfig:
    """The triplet loss, margin 0.35, on CASIA-WebFace; P×K batches of 128 × 4."""
    config = casia(HeadConfig(objective="triplet", distance=0.35), "casia-triplet")
    data = replace(config.data, identities_per_batch=128, images_per_identity=4)
    return replace(config, data=data)


def ms1mv3_r50() -> FullScaleConfig:
    """ArcFace with ResNet-50 on MS1MV3 (5.2 M pictures, 93 k identities), 20 epochs."""
    return _large("ms1mv3-r50", "ms1m-retinaface-t1", "iresnet50", 101_000)


def ms1mv3_r100() -> FullScaleConfig:
    """ArcFace with ResNet-100 on MS1MV3, 20 epochs."""
    return _large("ms1mv3-r100", "ms1m-retinaface-t1", "iresnet100", 101_000)


def glint360k_r100() -> FullScaleConfig:
    """CosFace with ResNet-100 on Glint360K (17 M pictures, 360 k identities), a tenth of the
    classes in each step."""
    config = _large("glint360k-r100", "glint360k", "iresnet100", 333_000)
    return replace(config, head=HeadConfig(m2=0.0, m3=0.4, sample_rate=0.1))


def webface42m_r100() -> FullScaleConfig:
    """CosFace with ResNet-100 on WebFace42M (42 M pictures, 2 M identities), a fifth of the
    classes in each step."""
    config = _large("webface42m-r100", "webface42m", "iresnet100", 830_000)
    return replace(config, head=HeadConfig(m2=0.0, m3=0.4, sample_rate=0.2))


def _large(name: str, folder: str, backbone: str, steps: int) -> FullScaleConfig:
    return FullScaleConfig(
        recipe=name,
        data=DataConfig(train=folder, workers=8),
        backbone=BackboneConfig(name=backbone),
        schedule=ScheduleConfig(steps=steps, kind="polynomial"),
        follow=FollowConfig(sets=_BINS),
        batch_size=1024,
        precision="bfloat16",
        channels_last=True,
    )


_BINS = ("lfw.bin", "cfp_fp.bin", "agedb_30.bin")

RECIPES: dict[str, Callable[[], FullScaleConfig]] = {
    "demo": demo,
    "casia-arcface": casia_arcface,
    "casia-cosface": casia_cosface,
    "casia-sphereface": casia_sphereface,
    "casia-cm1": casia_cm1,
    "casia-cm2": casia_cm2,
    "casia-normalized-softmax": casia_normalized_softmax,
    "casia-softmax": casia_softmax,
    "casia-triplet": casia_triplet,
    "ms1mv3-r50": ms1mv3_r50,
    "ms1mv3-r100": ms1mv3_r100,
    "glint360k-r100": glint360k_r100,
    "webface42m-r100": webface42m_r100,
}
"""By name, as the command line offers them."""
