swift run shop infra --project $PROJECT --location $REGION --service shop --image $IMAGE --sync > infra.sh
less infra.sh
bash infra.sh
