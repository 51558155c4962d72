"""How good a reconstruction is: measures, the protocol of the paper, reports and benchmarks."""
