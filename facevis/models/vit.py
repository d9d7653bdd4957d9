"""Vision transformers for faces: patches of 9 × 9 pixels → tokens → embedding (B, D).

There is no class token: the embedding is read off all tokens at once, since each place of an
aligned face means something. In training a tenth of the tokens is left out of the blocks and
filled in with a learned one at the end, and whole branches are dropped for single pictures. Pixels
that fill no patch (112 = 12 · 9 + 4) are cut off at the right and below. Names and shapes of
parameters are those of InsightFace's published weights. It knows no loss.

Sources: Dosovitskiy et al., "An Image is Worth 16×16 Words", 2021; Huang et al., "Deep Networks
with Stochastic Depth", 2016; He et al., "Masked Autoencoders", 2022 (leaving tokens out); widths,
depths, ReLU6, head and initial weights: insightface, recognition/arcface_torch/backbones/vit.py.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = {"vit_t": (256, 12), "vit_s": (512, 12), "vit_b": (512, 24)}
"""Width of the tokens and number of blocks; heads are 8, patches 9 pixels wide."""

PATCH = 9
_HEADS = 8
_DROP_PATH = 0.1
"""Share of the pictures that the last block's branches are dropped for; the first block's: none."""
_MASKED = 0.1
"""Share of the tokens that are left out in training."""
_STD = 0.02


class DropPath(nn.Module):
    """In training, a branch is 0 for a random share of the pictures, the others make up for it."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """(B, ...) → (B, ...)."""
        if not self.training or self.share == 0:
            return x
        kept = x.new_empty(len(x), *[1] * (x.dim() - 1)).bernoulli_(1 - self.share)
        return x * kept / (1 - self.share)


class Attention(nn.Module):
    """Every token looks at every token, in eight ways."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, width) → (B, N, width)."""
        batch, tokens, width = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, _HEADS, width // _HEADS)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind()
        # Its softmax is taken in float32 whatever autocast makes of the products.
        seen = F.scaled_dot_product_attention(query, key, value)
        mixed: Tensor = self.proj(seen.transpose(1, 2).reshape(batch, tokens, width))
        return mixed


class Mlp(nn.Module):
    """Two layers, the inner one four times as wide."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, width) → (B, N, width)."""
        outputs: Tensor = self.fc2(F.relu6(self.fc1(x)))
        return outputs


class Block(nn.Module):
    """Attention, then a small network for each token, both added to what came in."""

    def __init__(self, width: int, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = Attention(width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, width) → (B, N, width)."""
        x = x + self.drop_path(self.attn(self.norm1(x)))
        outputs: Tensor = x + self.drop_path(self.mlp(self.norm2(x)))
        return outputs


class VisionTransformer(nn.Module):
    """A transformer of so many blocks on tokens so wide.

    ``size`` S is at least 9; ``dropout`` is the share that is dropped before the last layers.

    >>> VisionTransformer(16, 1, embedding_dim=8, size=32).eval()(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 8])
    """

    def __init__(
        self,
        width: int,
        depth: int,
        embedding_dim: int = 512,
        size: int = 112,
        dropout: float = 0.0,
        masked: float = _MASKED,
    ) -> None:
        super().__init__()
        self.embedding_dim, self.size, self.masked = embedding_dim, size, masked
        tokens = (size // PATCH) ** 2
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, PATCH, PATCH)})
        self.pos_embed = nn.Parameter(
            nn.init.trunc_normal_(torch.empty(1, tokens, width), std=_STD)
        )
        self.mask_token = nn.Parameter(nn.init.normal_(torch.empty(1, 1, width), std=_STD))
        # Without a part in training it would be a parameter that never sees a gradient.
        self.mask_token.requires_grad = masked > 0
        self.blocks = nn.Sequential(
            *(Block(width, _DROP_PATH * place / max(1, depth - 1)) for place in range(depth))
        )
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.feature = nn.Sequential(
            nn.Linear(width * tokens, width, bias=False),
            nn.BatchNorm1d(width, eps=2e-5),
            nn.Linear(width, embedding_dim, bias=False),
            nn.BatchNorm1d(embedding_dim, eps=2e-5),
        )
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=_STD)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, S, S) from −1 to 1 → embeddings (B, D), float32 also under autocast."""
        x = self.patch_embed["proj"](pictures).flatten(2).transpose(1, 2) + self.pos_embed
        x = self._partly(x) if self.training and self.masked else self.norm(self.blocks(x))
        x = self.dropout(torch.flatten(x, 1))
        with torch.autocast(x.device.type, enabled=False):
            embeddings: Tensor = self.feature(x.to(self.feature[0].weight.dtype))
            return embeddings

    def _partly(self, x: Tensor) -> Tensor:
        """The blocks on a random part of the tokens (B, N, width), the mask token elsewhere."""
        batch, tokens, width = x.shape
        order = torch.rand(batch, tokens, device=x.device).argsort(1)
        kept = order[:, : max(1, int(tokens * (1 - self.masked)))]
        place = kept[..., None].expand(-1, -1, width)
        seen = self.norm(self.blocks(x.gather(1, place)))
        return self.mask_token.to(seen.dtype).expand(batch, tokens, -1).scatter(1, place, seen)
