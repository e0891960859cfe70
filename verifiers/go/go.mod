module svidok/verify

go 1.19
