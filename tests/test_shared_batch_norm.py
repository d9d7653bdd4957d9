"""Batch norm over two processes is batch norm over one."""

import torch
from gloo import together
from network_work import network_step, save_network_step


def test_gradients_and_statistics_of_a_network_on_two_processes_are_those_on_one(tmp_path):
    together(save_network_step, tmp_path, tmp_path / "two.pt")
    two, one = torch.load(tmp_path / "two.pt", weights_only=True), network_step()
    assert two.keys() == one.keys()
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-8, atol=1e-10, msg=name)
