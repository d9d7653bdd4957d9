"""Work in several processes that talk over gloo, for tests: as torchrun would start them."""

import torch.distributed as dist
import torch.multiprocessing as mp


def _one(rank, work, world, folder, arguments):
    store = dist.FileStore(str(folder / "store"), world)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=world)
    try:
        work(*arguments)
    finally:
        dist.destroy_process_group()


def together(work, folder, *arguments, world=2):
    """Run ``work(*arguments)`` in ``world`` processes at once; a fault in one is raised here."""
    mp.spawn(_one, (work, world, folder, arguments), nprocs=world)
