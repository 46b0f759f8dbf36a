³#
"serveÎ"
.
xPlaceholder*
dtype0*
shape:
A
yPartitionedCallx*
Tin
2*
Tout
2*
fR
f0Ó!
´

f0
a
rA
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f1J
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f1"
r
c:output:0
´

f1
a
rA
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f2J
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f2"
r
c:output:0
´

f2
a
rA
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f3J
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f3"
r
c:output:0
´

f3
a
rA
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f4J
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f4"
r
c:output:0
´

f4
a
rA
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f5J
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f5"
r
c:output:0
´

f5
a
rA
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f6J
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f6"
r
c:output:0
´

f6
a
rA
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f7J
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f7"
r
c:output:0
´

f7
a
rA
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f8J
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f8"
r
c:output:0
´

f8
a
rA
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f9J
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f9"
r
c:output:0
¶

f9
a
rB
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f10K
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f10"
r
c:output:0
·

f10
a
rB
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f11K
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f11"
r
c:output:0
·

f11
a
rB
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f12K
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f12"
r
c:output:0
·

f12
a
rB
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f13K
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f13"
r
c:output:0
·

f13
a
rB
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f14K
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f14"
r
c:output:0
·

f14
a
rB
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f15K
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f15"
r
c:output:0
·

f15
a
rB
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f16K
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f16"
r
c:output:0
·

f16
a
rB
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f17K
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f17"
r
c:output:0
·

f17
a
rB
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f18K
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f18"
r
c:output:0
·

f18
a
rB
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f19K
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f19"
r
c:output:0
·

f19
a
rB
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f20K
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f20"
r
c:output:0
·

f20
a
rB
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f21K
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f21"
r
c:output:0
·

f21
a
rB
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f22K
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f22"
r
c:output:0
·

f22
a
rB
bPartitionedCalla*
Tin
2*
Tout
2*
fR
f23K
cPartitionedCall
b:output:0*
Tin
2*
Tout
2*
fR
f23"
r
c:output:0
7

f23
a
r
cNega*
T0"

rc:y:0"¡*W
serving_defaultD

x
x:0
y
y:0tensorflow/serving/predict